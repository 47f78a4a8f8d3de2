"""Whole-proof policies and plans for tests of searches on hand-made graphs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

from search import Completion, ProofPrompt
from search.tasks import Complete


class ScriptedPolicy:
    """The k-th completion for a main goal is the k-th of its scripts, and the last of them for ever after."""

    def __init__(self, scripts: Mapping[str, Sequence[str]]) -> None:
        self.scripts = scripts
        self.asked: list[str] = []
        self.prompts: list[ProofPrompt] = []

    def complete(self, prompts):
        (prompt,) = prompts
        main = prompt.state.goals[0].target
        scripts = self.scripts.get(main, [])
        text = scripts[min(Counter(self.asked)[main], len(scripts) - 1)] if scripts else None
        self.asked.append(main)
        self.prompts.append(prompt)
        return [] if text is None else [Completion(text, tokens=len(text.split("\n")))]


class RandomPolicy:
    """One to four of the tactics, by the prompt's seed alone."""

    def __init__(self, tactics: Sequence[str]) -> None:
        self.tactics = tactics

    def complete(self, prompts):
        found = []
        for prompt in prompts:
            random = Random(prompt.seed)
            found.append(Completion("\n".join(random.choices(self.tactics, k=random.randint(1, 4)))))
        return found


class Watched:
    """A plan that starts another one's search and keeps what it asks for, with what was true of it then."""

    def __init__(self, plan, tasks: list[Complete], check=lambda task: None) -> None:
        self.plan, self.tasks, self.check = plan, tasks, check
        self.whole_proofs, self.split = plan.whole_proofs, plan.split

    def start(self, graph, random):
        search, tasks, check = self.plan.start(graph, random), self.tasks, self.check

        class Search:
            def next(self):
                task = search.next()
                if task is not None:
                    tasks.append(task)
                    check(task)
                return task

            def hear(self, outcome):
                search.hear(outcome)

        return Search()
