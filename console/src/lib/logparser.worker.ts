import { readPage, type WorkerAnswer, type WorkerRequest } from "./logparser";

/** Decodes answers of log queries beside the page, and hands lines over in slices, so that a long answer never stops a scroll. */

const post = (answer: WorkerAnswer) => postMessage(answer);

// A slice of so many lines is taken over within a frame.
const sliceLines = 1000;

addEventListener("message", ({ data: { id, body, shape } }: MessageEvent<WorkerRequest>) => {
  try {
    const { lines, nextNs } = readPage(new TextDecoder().decode(body), shape);
    for (let at = 0; at < lines.length; at += sliceLines)
      post({ id, kind: "lines", lines: lines.slice(at, at + sliceLines) });
    post({ id, kind: "end", nextNs });
  } catch (error) {
    post({
      id,
      kind: "fault",
      message: error instanceof Error ? error.message : "The answer is not readable.",
    });
  }
});
