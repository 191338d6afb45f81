// Sends pictures straight to a bucket, and waits until each comes back from there as an event.

import { finish, post, refuse, sentence } from "./upload-row.js";
import { tr } from "./words.js";

const REFUSALS = {
  AccessDenied: "The bucket refused it: the service's AWS login may not write there. The command “snapshot-processor iam” prints what it needs.",
  EntityTooLarge: "The bucket takes no picture that large.",
  EntityTooSmall: "It is empty.",
  ExpiredToken: "The service's AWS session has expired.",
  InvalidAccessKeyId: "AWS does not know the service's login.",
  NoSuchBucket: "There is no such bucket: web.upload_bucket has to be corrected.",
  RequestTimeTooSkewed: "The clock of the service is wrong.",
  SignatureDoesNotMatch: "AWS does not accept the service's login.",
  SlowDown: "The bucket has too much to do. Try again.",
  ServiceUnavailable: "The bucket has too much to do. Try again.",
};
const NO_ANSWER =
  "The bucket did not answer this page: the connection was lost, or its CORS rules leave this address out. The command “snapshot-processor iam --cors” prints them.";

const NOT_YET =
  "It is in the bucket, and has not come into the album yet: the status page says whether a source looks there.";
const OPENED_MS = 5_000;
const PATIENCE_MS = 60_000;

const waiting = new Map(); // "bucket/key" -> what to do with its event
let events = null;

export async function postToBucket(form, file, row) {
  if (!file.size) return finish(row, { refusal: tr(REFUSALS.EntityTooSmall) });
  const asked = { camera: form.elements.camera.value, note: form.elements.note.value, name: file.name, type: file.type, size: file.size };
  const { status, answer } = await ask(form.dataset.bucket, asked);
  if (status !== 200) return refuse(row, form, status, answer.error);
  const place = `${answer.bucket}/${answer.object_key}`;
  await follow(form.dataset.events, place, (event) => {
    if (event.problem && !event.image_url) finish(row, { refusal: sentence(1, event.problem) });
    else finish(row, { page: form.dataset.page + event.event_id });
  });
  const body = new FormData();
  for (const [name, value] of Object.entries(answer.fields)) body.append(name, value);
  body.append("file", file, file.name);
  const sent = await post(answer.url, body, row);
  if (sent.status < 200 || sent.status >= 300) {
    finish(row, { refusal: refusal(sent) });
    forget(place);
  } else if (waiting.has(place)) {
    finish(row, { waiting: tr("It is in the bucket.") });
    setTimeout(() => waiting.has(place) && finish(row, { waiting: tr(NOT_YET) }), PATIENCE_MS);
  }
}

async function ask(address, asked) {
  try {
    const response = await fetch(address, {
      method: "POST",
      headers: { Accept: "application/json", "Content-Type": "application/json" },
      body: JSON.stringify(asked),
    });
    return { status: response.status, answer: await response.json() };
  } catch {
    return { status: 0, answer: {} };
  }
}

function refusal({ status, text }) {
  if (!status) return tr(NO_ANSWER);
  if (/<Message>[^<]*expired/.test(text)) return tr("It took too long. Try again.");
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? status;
  return REFUSALS[code] ? tr(REFUSALS[code]) : tr("The bucket refused it ({code}).", { code });
}

// The stream is open before the picture is sent, so that its event is not missed; a broken one catches up by itself.
async function follow(address, place, arrived) {
  waiting.set(place, arrived);
  if (events?.readyState === EventSource.OPEN) return;
  if (!events) listen(address);
  await new Promise((done) => {
    for (const kind of ["open", "error"]) events.addEventListener(kind, done, { once: true });
    setTimeout(done, OPENED_MS); // a proxy may hold the stream back
  });
}

function listen(address) {
  events = new EventSource(address);
  events.addEventListener("snapshot", ({ data }) => {
    const event = JSON.parse(data);
    const come = `${event.bucket}/${event.object_key}`;
    waiting.get(come)?.(event);
    forget(come);
  });
}

function forget(place) {
  waiting.delete(place);
  if (waiting.size || !events) return;
  events.close();
  events = null;
}
