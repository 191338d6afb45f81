// The tablet's own camera. What goes wrong is a word of the page's: `denied`, `no_camera`, `insecure`, `camera_failed`.

export class Camera {
  constructor(video, side) {
    this.video = video;
    this.side = side;
    this.stream = null;
    this.opening = null;
  }

  // Show what the camera sees; asked for twice at once, it opens once. Throws an Error whose message is the word.
  open() {
    this.opening ??= this.begin().finally(() => (this.opening = null));
    return this.opening;
  }

  async begin() {
    if (this.stream?.active) return;
    if (!navigator.mediaDevices?.getUserMedia) throw new Error(window.isSecureContext ? "no_camera" : "insecure");
    try {
      const video = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } };
      this.stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
    } catch (error) {
      throw new Error(WORDS[error.name] ?? "camera_failed");
    }
    this.video.srcObject = this.stream;
    this.video.hidden = false;
    await this.video.play();
  }

  // A JPEG of this moment, no larger than it is of use.
  async take() {
    await this.open();
    const { videoWidth: width, videoHeight: height } = this.video;
    const factor = Math.min(1, (2 * this.side) / Math.max(width, height));
    const canvas = new OffscreenCanvas(Math.round(width * factor), Math.round(height * factor));
    canvas.getContext("2d").drawImage(this.video, 0, 0, canvas.width, canvas.height);
    return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
  }
}

const WORDS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "no_camera",
  NotSupportedError: "no_camera",
  OverconstrainedError: "no_camera",
};
