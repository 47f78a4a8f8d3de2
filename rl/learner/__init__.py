"""Takes optimiser steps on rows of tokens."""
