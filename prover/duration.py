"""A stretch of time in words."""


def duration(seconds: float) -> str:
    """In the two largest units: `2 h 05 min`, `3 min 20 s`, `12 s`; below a second with one digit that counts."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    if whole >= 60:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole} s" if seconds >= 1 else f"{seconds:.1g} s"
