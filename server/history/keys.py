"""Under which key somebody's trainings are kept."""

from __future__ import annotations

from dataclasses import dataclass

from server.history.drafts import Told

SUBJECTS, NAMES = "subject:", "name:"
"""What keys begin with."""
# This machine's own camera is nobody.
_NOBODY = "camera"


@dataclass(frozen=True, slots=True)
class Keys:
    """Subjects and names are kept apart: who takes the name "ann" is not the subject "ann".

    Attributes
    ----------
    by_subject
        Whether tokens tell who trains; without them it is the name that they chose.
    """

    by_subject: bool

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return SUBJECTS if self.by_subject else NAMES

    def of(self, athlete: str) -> str:
        """The key of an id."""
        return self.prefix + athlete

    def id_of(self, key: str) -> str:
        """And back."""
        return key.removeprefix(self.prefix)

    def of_session(self, told: Told) -> str | None:
        """Whose a session's training is; None if it is nobody's, and is not kept."""
        who = told.subject if self.by_subject else told.name
        return self.of(who) if who and told.name != _NOBODY else None
