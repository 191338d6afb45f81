// "2 min ago" beside what has just happened; older pictures keep their time of day.

const HOUR = 3_600_000;

export function startTimes() {
  refresh();
  setInterval(refresh, 20_000);
  document.addEventListener("htmx:after:swap", refresh);
  document.addEventListener("album:cards", refresh);
}

function refresh() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-recent]")) {
    const age = now - Date.parse(time.dateTime);
    if (age < HOUR && age > -60_000) {
      time.textContent = words(age);
    } else {
      time.textContent = time.dateTime.slice(11, 19);
      time.removeAttribute("data-recent");
    }
  }
}

function words(age) {
  const minutes = Math.floor(age / 60_000);
  return minutes < 1 ? "just now" : `${minutes} min ago`;
}
