"""The one class that every analyzer extends.

An analyzer needs `frame` and nothing more::

    from analyzers.base_model import BaseModel

    class Brightness(BaseModel):
        def frame(self, sid, frame, timestamp, *args, **kwargs):
            return {"brightness": float(frame.mean())}
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    # The server imports this module to check a command line; numpy is for the workers.
    import numpy as np
    from numpy.typing import NDArray

MAX_STATE_BYTES = 1 << 20
"""What an analyzer may say of a session in `BaseModel.save`."""

_WORD_BOUNDARY = re.compile(
    r"(?<=[a-z])(?=[A-Z0-9])"  # mock|Model, model|1
    r"|(?<=[0-9])(?=[A-Z][a-z])"  # 2|Fast
    r"|(?<=[A-Z])(?=[A-Z][a-z])"  # HRV|Model
)


class AnalyzerUnavailable(RuntimeError):
    """Something optional that an analyzer needs is missing on this machine.

    Raised by an analyzer's constructor. The text is for the user: what is
    missing, and what to do about it.
    """


def snake_case(class_name: str) -> str:
    """Name an analyzer after its class: ``MockModel1`` becomes ``mock_model_1``."""
    return _WORD_BOUNDARY.sub("_", class_name).lower()


class BaseModel(ABC):
    """Turns the frames of a session into results.

    One instance serves every session of its process; whatever it remembers of
    a session it keeps under the session's `sid`. Its methods are called from
    one thread at a time. What a method raises costs this analyzer's result for
    that frame and is told to the client; other analyzers and sessions go on.

    A method may declare fewer parameters than it is described with here, or
    take them by other names in the same order; it is given what it takes.

    Attributes
    ----------
    name : str
        What the analyzer is called in results and settings. Made from the
        name of the class unless the class sets it.
    requires : tuple of str
        Names of the analyzers whose results `frame` reads. They run before
        this one, on the same frame.
    after : tuple of str
        Names of analyzers whose results `frame` reads when they are there:
        those that are in the list run before this one, on the same frame, and
        the others are not missed.
    events : tuple of str
        Keys of its results whose every new value must reach the client, such
        as the last repetition. A result that brings one takes the reliable way,
        where a client has opened one that may lose results.
    consecutive : bool
        Whether `frame` is to see every frame of a video, in order, and not the
        newest one: for what is found in how a picture changes. Such an analyzer
        may be late; of others that it reads it gets the last results known.
    """

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]] = ()
    after: ClassVar[tuple[str, ...]] = ()
    events: ClassVar[tuple[str, ...]] = ()
    consecutive: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Not inherited: a subclass of Pose is another analyzer, which can run beside Pose.
        if "name" not in vars(cls):
            cls.name = snake_case(cls.__name__)

    def start(self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any) -> None:
        """Begin a session.

        Parameters
        ----------
        sid : str
            The session.
        timestamp : float, optional
            Milliseconds since the session's first frame.
        options : dict, by keyword
            What the client asked of this analyzer; empty if nothing. Passed
            only to a method that takes it, by name or with ``**kwargs``.
        """
        return

    @abstractmethod
    def frame(
        self, sid: str, frame: NDArray[np.uint8], timestamp: float, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """Analyze one frame.

        Parameters
        ----------
        sid : str
            The session.
        frame : ndarray, shape (H, W, 3), uint8
            RGB, read-only. H and W may change in mid-session. It may be kept:
            nobody writes into it afterwards.
        timestamp : float
            Milliseconds since the session's first frame.
        results : dict, by keyword
            What the analyzers that ran before this one said of this frame,
            by analyzer name. One that had nothing to say is not in it. Passed
            only to a method that takes it, by name or with ``**kwargs``. To
            one that is `consecutive`, what others said that are not is as the
            client gets it, of the frame before this one that they saw last, or
            of a later one; before they have seen any, it is not in it.

        Returns
        -------
        dict or None
            What the client gets: numbers, text, lists and dicts with text as
            keys. None when there is nothing to say.
        """

    def draw(
        self, frame: NDArray[np.uint8], result: dict[str, Any], *args: Any, **kwargs: Any
    ) -> None:
        """Draw a result into the frame, for whoever watches the session annotated.

        Only called while somebody does. It runs on a thread of its own, also
        while `frame` runs: go by `result` alone, and keep nothing in `self`.
        `analyzers.drawing` has strokes and plates to draw with.

        Parameters
        ----------
        frame : ndarray, shape (H, W, 3), uint8
            RGB, to be written into. What analyzers before this one drew is in it.
        result : dict
            What `frame` returned last, as the client gets it. It is of this very
            frame, unless the analyzer is too slow for that.
        """
        return

    def configure(self, sid: str, options: dict[str, Any]) -> None:
        """Take options that the client changed in mid-session.

        Parameters
        ----------
        sid : str
            The session.
        options : dict
            The changed options only.
        """
        return

    def save(self, sid: str) -> bytes | None:
        """Say what is known of a session, for another process to go on with.

        Called when a session moves elsewhere, just before `end`. An analyzer
        that implements neither this nor `restore` begins anew there.

        Parameters
        ----------
        sid : str
            The session.

        Returns
        -------
        bytes or None
            `MAX_STATE_BYTES` at most, in a form that says of which version it
            is; None when there is nothing to say. No pickle: whoever reads it
            would run what is in it.
        """
        return None

    def restore(self, sid: str, state: bytes) -> None:
        """Go on with a session that another process had.

        Called right after `start`. When it raises, the session is ended and
        started anew, and nobody but the log is told why.

        Parameters
        ----------
        sid : str
            The session.
        state : bytes
            What `save` returned there, of another version perhaps.
        """
        return

    def end(
        self, sid: str, timestamp: float | None = None, *args: Any, **kwargs: Any
    ) -> dict[str, Any] | None:
        """End a session: forget it, and say what there is to say about all of it.

        Parameters
        ----------
        sid : str
            The session.
        timestamp : float, optional
            Milliseconds since the session's first frame.

        Returns
        -------
        dict or None
            As `frame` returns it; averages over the session, for instance.
        """
        return None
