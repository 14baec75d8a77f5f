"""Looking for people beyond what older clients ask for: clips of them, and from now on."""

from __future__ import annotations

from server.api import clips, lookouts
from server.api.clips import ClipWish
from server.api.models_lookouts import LookoutList, LookoutStatus, StartLookout
from server.http.route import Route
from server.security.identity import Scope

SEARCH_ROUTES = (
    Route(
        "POST",
        "/clip",
        clips.clip,
        "A part of a recording, or of a video in a form, as a file",
        # Recordings are everybody's.
        Scope.CONTROL,
        expensive=True,
        body=ClipWish,
        answers={200: "video/mp4"},
    ),
    *(
        Route(method, path, handler, summary, Scope.CONTROL, body=body, answers=answers)
        for method, path, handler, summary, body, answers in (
            (
                *("POST", "/lookouts", lookouts.start),
                "Look for a person in a camera until further notice",
                *(StartLookout, {201: LookoutStatus}),
            ),
            (
                *("GET", "/lookouts", lookouts.list_lookouts),
                "Who is looked for so, and when they were seen",
                *(None, {200: LookoutList}),
            ),
            (
                *("DELETE", "/lookouts/{id}", lookouts.end),
                "Look for them no more, and forget when they were seen",
                *(None, {200: LookoutStatus}),
            ),
        )
    ),
)
