// The tablet's screen stays on, and the page may fill it.

export function keepAwake() {
  const ask = () => document.visibilityState === "visible" && navigator.wakeLock?.request("screen").catch(() => {});
  document.addEventListener("visibilitychange", ask);
  ask();
}

export function offerFullScreen(button) {
  const root = document.documentElement;
  button.addEventListener("click", () => root.requestFullscreen().catch(() => {}));
  const look = () => (button.hidden = !document.fullscreenEnabled || document.fullscreenElement !== null);
  document.addEventListener("fullscreenchange", look);
  look();
}

// Letters that can be read on a colour: `#rrggbb`.
export function lettersOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  return 0.2126 * red ** 2.2 + 0.7152 * green ** 2.2 + 0.0722 * blue ** 2.2 > 0.18 ? "#14161f" : "#ffffff";
}
