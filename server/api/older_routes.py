"""What the clients of older servers ask for: pictures in, results out; a camera that records."""

from __future__ import annotations

from server.api import (
    camera_recording,
    fitness,
    game,
    person_search,
    pose,
    realtime,
    tracking,
)
from server.api.camera_recording import Recorded, RecordWish
from server.api.models_fitness import (
    AnalyzeBatch,
    AnalyzeFrame,
    AnalyzeVideo,
    FitnessError,
    FormAnswer,
    FrameAnswer,
    HealthAnswer,
    MotionAnswer,
    StatusAnswer,
)
from server.api.models_pose import PoseAnswer, PoseError, PoseForm
from server.api.models_tracking import (
    Find,
    Found,
    TrackingError,
    UploadedEmbedding,
    UploadEmbedding,
)
from server.http.route import Route
from server.security.identity import Scope

OLDER_ROUTES = (
    Route("GET", "/ws", pose.websocket, "Landmarks of each picture", Scope.PUBLISH, True),
    Route("GET", "/ws/control", game.control, "A pose for all players", Scope.PUBLISH, True),
    Route("GET", "/ws/test", game.echo, "Each text back", Scope.PUBLISH, True),
    Route(
        "POST",
        "/pose",
        pose.pose,
        "Landmarks of one picture",
        Scope.PUBLISH,
        expensive=True,
        form=PoseForm,
        answers={200: PoseAnswer} | dict.fromkeys((400, 408, 413, 500, 503), PoseError),
    ),
    Route(
        "GET",
        "/api/ai/realtime",
        realtime.websocket,
        "Exercise and score in each picture",
        Scope.PUBLISH,
        True,
    ),
    *(
        Route(
            "POST",
            path,
            handler,
            summary,
            # Recordings are everybody's.
            Scope.CONTROL if body is AnalyzeBatch else Scope.PUBLISH,
            expensive=True,
            body=body,
            answers={200: answer} | dict.fromkeys((400, 404, 413, 500, 503), FitnessError),
        )
        for path, handler, summary, body, answer in (
            (
                "/api/ai/analyze-form",
                fitness.analyze_form,
                "How well an exercise is done in a video",
                AnalyzeVideo,
                FormAnswer,
            ),
            (
                "/api/ml/analyze-frame",
                fitness.analyze_frame,
                "Exercise and score in a picture",
                AnalyzeFrame,
                FrameAnswer,
            ),
            (
                "/api/ml/analyze-video",
                fitness.analyze_video,
                "Exercise and score in a video",
                AnalyzeVideo,
                MotionAnswer,
            ),
            (
                "/api/ml/analyze-batch",
                fitness.analyze_batch,
                "Exercise and score in a recording",
                AnalyzeBatch,
                MotionAnswer,
            ),
        )
    ),
    Route(
        "GET",
        "/api/health",
        fitness.health,
        "Whether exercises are analyzed",
        None,
        answers={200: HealthAnswer, 503: HealthAnswer},
    ),
    Route(
        "GET",
        "/api/ml/status",
        fitness.status,
        "What analyzes exercises, and whether it is ready",
        None,
        answers={200: StatusAnswer},
    ),
    Route(
        "POST",
        "/record/start",
        camera_recording.start,
        "Record the camera, as POST /recordings does",
        Scope.CONTROL,
        body=RecordWish,
        answers={200: Recorded},
    ),
    Route(
        "POST",
        "/record/stop",
        camera_recording.stop,
        "End what /record/start began",
        Scope.CONTROL,
        answers={200: Recorded},
    ),
    Route(
        "POST",
        "/upload-embedding",
        person_search.upload_embedding,
        "What a person in a picture looks like, to look for them",
        Scope.PUBLISH,
        expensive=True,
        body=UploadEmbedding,
        answers={
            200: UploadedEmbedding,
            400: TrackingError,
            413: TrackingError,
            422: TrackingError,
            503: TrackingError,
        },
    ),
    *(
        Route(
            "POST",
            path,
            person_search.find,
            f"Where a person is in a recording{what}",
            # Recordings are everybody's.
            Scope.CONTROL,
            expensive=True,
            body=Find,
            answers={
                200: Found,
                400: TrackingError,
                404: TrackingError,
                413: TrackingError,
                422: TrackingError,
                503: TrackingError,
            },
        )
        for path, what in (
            ("/find", "; as events with Accept: text/event-stream"),
            ("/find/{id}", "; the number is the client's own"),
        )
    ),
    Route(
        "GET",
        "/video-stream/{session_id}",
        tracking.video_stream,
        "Where a person is in each frame, the client's or those of a video that the server reads",
        Scope.PUBLISH,
        True,
    ),
)
