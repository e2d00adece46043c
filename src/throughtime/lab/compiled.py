"""The number of compiled settings, kept in bounds."""

import jax

from throughtime.lab.settings import Course, Learner

MOST = 20  # settings; the programs of one take some 20 MB, and whoever plays tries hundreds


class CompiledSettings:
    """The settings whose programs JAX keeps in this process."""

    def __init__(self) -> None:
        """Begin with no settings."""
        self._settings = set[tuple[int, int, float, Learner]]()

    def add(self, course: Course, learner: Learner) -> None:
        """Count the settings; if there are too many, JAX forgets all programs.

        A run that trains meanwhile compiles its own once more.
        """
        self._settings.add((course.window, course.batch, course.noise, learner))
        if len(self._settings) > MOST:
            jax.clear_caches()
            self._settings.clear()
