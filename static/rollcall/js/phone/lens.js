/* The phone's lens: open only while a session is, and of a burst the sharpest frame. */

let stream = null;
const small = document.createElement("canvas");
small.width = 320;
small.height = 180;

export const isOpen = () => Boolean(stream?.active);

export async function open(video, longSide) {
  if (isOpen()) return;
  stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: { ideal: "environment" }, width: { ideal: longSide }, height: { ideal: Math.round(longSide * 9 / 16) } },
    audio: false,
  });
  video.srcObject = stream;
  await video.play();
}

export function close(video) {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
}

/* Mean squared step between neighbours of a small grey copy: enough to tell a shaken frame from a still one. */
function sharpness(video) {
  const pen = small.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, 0, 0, small.width, small.height);
  const { data } = pen.getImageData(0, 0, small.width, small.height);
  let sum = 0;
  for (let i = 4; i < data.length; i += 4) {
    const step = data[i + 1] - data[i - 3];
    sum += step * step;
  }
  return sum / (data.length / 4);
}

const pause = (milliseconds) => new Promise((done) => { setTimeout(done, milliseconds); });

/* A JPEG of the sharpest of `burst` frames, its longer side at most `longSide` pixels. */
export async function shoot(video, { burst, long_side: longSide, jpeg_quality: quality }) {
  const scale = Math.min(1, longSide / Math.max(video.videoWidth, video.videoHeight));
  const best = document.createElement("canvas");
  best.width = Math.round(video.videoWidth * scale);
  best.height = Math.round(video.videoHeight * scale);
  if (!best.width) throw new Error("no picture");
  let sharpest = -1;
  for (let frame = 0; frame < burst; frame += 1) {
    const value = sharpness(video);
    if (value > sharpest) {
      sharpest = value;
      best.getContext("2d").drawImage(video, 0, 0, best.width, best.height);
    }
    if (frame + 1 < burst) await pause(120);
  }
  const blob = await new Promise((done) => { best.toBlob(done, "image/jpeg", quality / 100); });
  if (!blob) throw new Error("no picture");
  return blob;
}
