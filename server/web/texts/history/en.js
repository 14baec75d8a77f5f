export default {
  "history.title": "What you have done",
  "history.off": "This server keeps no trainings: it is started with --database default.",
  "history.kept":
    "Exercises, sets, repetitions with their figures, and faults are kept; no pictures. Only you, a coach you share with, and whoever runs this server can see them.",
  "history.kept_by_name":
    "Exercises, sets, repetitions with their figures, and faults are kept, under the name that you choose; no pictures. This server asks for no tokens, so everybody here can see them.",
  "history.name": "Your name, as in Train: without one nothing is kept",
  "history.whose": "Whose trainings",
  "history.none": "Nothing is kept yet: it begins with the next training.",
  "history.nobody": "Choose a name first.",
  "history.count": { one: "{n} training", other: "{n} trainings" },
  "history.progress": "Progress by week",
  "history.exercise": "Exercise",
  "history.all": "All exercises",
  "history.show": "Shown",
  "history.figure.reps": "Repetitions",
  "history.figure.held": "Seconds held",
  "history.figure.range": "Range of motion, degrees",
  "history.figure.score": "Score",
  "history.no_figure": "There are no such figures of this exercise.",
  "history.recent": "Older ones are in the file.",
  "history.more": "Show more",
  "history.share":
    "Share with a coach, by the name in their token: they see your trainings, and you while you train",
  "history.share_do": "Share",
  "history.shared": "{coach} can see your trainings.",
  "history.unshare": "Take back",
  "history.unshared": "{coach} can see them no longer.",
  "history.delete": "Delete everything",
  "history.delete_ask":
    "Delete all {n} trainings of {name} for good? With whom they are shared is deleted, too, and nothing of a training that goes on is kept.",
  "history.deleted": { one: "{n} training was deleted.", other: "{n} trainings were deleted." },
  "history.not_wiped":
    "Traces may be in the database's file until it is rewritten: delete again in a moment.",
};
