export default {
  "coach.frame": "Stand so that all of you is in the picture.",
  "coach.anyway": "Start anyway",
  "coach.now": "Start now",
  "coach.go": "Go",
  "plan.next": "Next",
  "plan.then": "Then: {what}",
  "plan.rest": "Rest {s} s.",
  "plan.set": "Set {n} of {of} · {what}",
};
