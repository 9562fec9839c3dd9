/* Enrolment with the webcam: three poses, taken by themselves once the picture is good enough. */

import { add } from "./upload.js";

const panel = document.querySelector("[data-webcam]");
const video = panel.querySelector("video");
const hint = panel.querySelector("[data-hint]");
const hold = panel.querySelector("[data-hold]");
const start = panel.querySelector("[data-start]");
const shoot = panel.querySelector("[data-shoot]");
const stop = panel.querySelector("[data-stop]");
const said = panel.dataset;
const poses = [said.poseFront, said.poseLeft, said.poseRight];
const form = document.querySelector("form[data-upload]");
const probe = document.createElement("canvas");
probe.width = 96;
probe.height = 96;

let stream = null;
let watching = 0;
let pose = 0;
let still = 0;
let before = null;

/* Brightness, sharpness and motion of the middle of the picture, from 96 x 96 grey pixels.
   Good enough to say "more light"; the server decides what is used. */
function look() {
  const side = Math.min(video.videoWidth, video.videoHeight) * 0.7;
  const pen = probe.getContext("2d", { willReadFrequently: true });
  pen.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, 96, 96);
  const { data } = pen.getImageData(0, 0, 96, 96);
  const grey = new Float32Array(96 * 96);
  let sum = 0;
  for (let i = 0; i < grey.length; i += 1) {
    grey[i] = 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2];
    sum += grey[i];
  }
  let edges = 0;
  let motion = 0;
  for (let i = 97; i < grey.length; i += 1) {
    edges += Math.abs(grey[i] - grey[i - 1]);
    if (before) motion += Math.abs(grey[i] - before[i]);
  }
  before = grey;
  return { light: sum / grey.length, edges: edges / grey.length, motion: motion / grey.length };
}

function tick() {
  if (!stream || !video.videoWidth) return;
  const seen = look();
  let words = poses[pose];
  if (seen.light < 55) words = said.moreLight;
  else if (seen.light > 215) words = said.lessLight;
  else if (seen.motion > 7) words = said.holdStill;
  else { still += 1; hint.textContent = words; if (still >= 7) take(); return; }
  still = 0;
  hint.textContent = words;
}

function take() {
  still = 0;
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const number = pose + 1;
  canvas.toBlob((blob) => add(form, [new File([blob], `${said.fileName} ${number}.jpg`, { type: "image/jpeg" })]), "image/jpeg", 0.93);
  panel.classList.add("did-flash");
  setTimeout(() => panel.classList.remove("did-flash"), 250);
  pose += 1;
  if (pose >= poses.length) end(said.finished);
}

function end(words) {
  clearInterval(watching);
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  video.hidden = true;
  hold.hidden = false;
  hold.querySelector("p").textContent = words;
  hint.textContent = "";
  shoot.hidden = true;
  stop.hidden = true;
  start.hidden = false;
}

start.addEventListener("click", async () => {
  if (!navigator.mediaDevices?.getUserMedia) { end(said.notHere); return; }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 960 } }, audio: false });
  } catch (error) {
    end(error.name === "NotAllowedError" ? said.notAllowed : error.name === "NotFoundError" ? said.notFound : said.notWorking);
    return;
  }
  pose = 0;
  still = 0;
  before = null;
  video.srcObject = stream;
  video.hidden = false;
  hold.hidden = true;
  await video.play();
  start.hidden = true;
  shoot.hidden = false;
  stop.hidden = false;
  hint.textContent = poses[0];
  watching = setInterval(tick, 200);
});
shoot.addEventListener("click", take);
stop.addEventListener("click", () => end(said.stopped));
window.addEventListener("pagehide", () => { if (stream) end(said.stopped); });
