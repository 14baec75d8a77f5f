export default {
  "coach.frame": "Stell dich so hin, dass du ganz im Bild bist.",
  "coach.anyway": "Trotzdem anfangen",
  "coach.now": "Jetzt anfangen",
  "coach.go": "Los",
  "plan.next": "Weiter",
  "plan.then": "Dann: {what}",
  "plan.rest": "{s} s Pause.",
  "plan.set": "Satz {n} von {of} · {what}",
};
