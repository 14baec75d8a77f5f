export default {
  "history.title": "Was du geschafft hast",
  "history.off": "Dieser Server hebt keine Trainings auf: Dafür startet man ihn mit --database default.",
  "history.kept":
    "Übungen, Sätze, Wiederholungen mit ihren Werten und Fehler werden aufgehoben; keine Bilder. Sehen können sie nur du, ein Coach, mit dem du teilst, und wer den Server betreibt.",
  "history.kept_by_name":
    "Übungen, Sätze, Wiederholungen mit ihren Werten und Fehler werden aufgehoben, unter dem Namen, den du wählst; keine Bilder. Dieser Server verlangt keine Tokens, also können alle hier sie sehen.",
  "history.name": "Dein Name, wie beim Training: Ohne einen wird nichts aufgehoben",
  "history.whose": "Wessen Trainings",
  "history.none": "Noch ist nichts aufgehoben: Es beginnt mit dem nächsten Training.",
  "history.nobody": "Wähle zuerst einen Namen.",
  "history.count": { one: "{n} Training", other: "{n} Trainings" },
  "history.progress": "Fortschritt nach Wochen",
  "history.exercise": "Übung",
  "history.all": "Alle Übungen",
  "history.show": "Gezeigt",
  "history.figure.reps": "Wiederholungen",
  "history.figure.held": "Gehaltene Sekunden",
  "history.figure.range": "Bewegungsumfang in Grad",
  "history.figure.score": "Punkte",
  "history.no_figure": "Solche Werte gibt es von dieser Übung nicht.",
  "history.recent": "Ältere stehen in der Datei.",
  "history.more": "Mehr zeigen",
  "history.share":
    "Mit einem Coach teilen, mit dem Namen in seinem Token: er sieht deine Trainings, und dich, während du trainierst",
  "history.share_do": "Teilen",
  "history.shared": "{coach} kann deine Trainings sehen.",
  "history.unshare": "Zurücknehmen",
  "history.unshared": "{coach} kann sie nicht mehr sehen.",
  "history.delete": "Alles löschen",
  "history.delete_ask":
    "Alle {n} Trainings von {name} endgültig löschen? Auch mit wem sie geteilt sind, wird gelöscht, und von einem Training, das gerade läuft, wird nichts aufgehoben.",
  "history.deleted": { one: "{n} Training wurde gelöscht.", other: "{n} Trainings wurden gelöscht." },
  "history.not_wiped":
    "Spuren können in der Datei der Datenbank sein, bis sie neu geschrieben ist: Lösche gleich noch einmal.",
};
