import { type LogLine, type LogPage, type PageShape, type RawStream, toPage } from "./loglines";

/** How the page and its worker speak. */
export interface WorkerRequest {
  readonly id: number;
  readonly body: ArrayBuffer;
  readonly shape: PageShape;
}

export type WorkerAnswer =
  | { readonly id: number; readonly kind: "lines"; readonly lines: readonly LogLine[] }
  | { readonly id: number; readonly kind: "end"; readonly nextNs: string | undefined }
  | { readonly id: number; readonly kind: "fault"; readonly message: string };

interface Envelope {
  readonly data: { readonly resultType: string; readonly result: readonly RawStream[] };
}

/** readPage decodes an answer of query_range. */
export function readPage(text: string, shape: PageShape): LogPage {
  const { data } = JSON.parse(text) as Envelope;
  return toPage(data.resultType === "streams" ? data.result : [], shape);
}

interface Waiting {
  readonly lines: LogLine[];
  readonly resolve: (page: LogPage) => void;
  readonly reject: (fault: Error) => void;
}

/** LogParser decodes answers in a worker. It is made once and kept, since a worker takes longer to start than to work. */
export class LogParser {
  #worker: Worker | undefined;
  #last = 0;
  readonly #waiting = new Map<number, Waiting>();

  parse(body: ArrayBuffer, shape: PageShape): Promise<LogPage> {
    this.#worker ??= this.#start();
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { lines: [], resolve, reject });
      this.#worker?.postMessage({ id, body, shape } satisfies WorkerRequest, [body]);
    });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./logparser.worker.ts", import.meta.url), { type: "module" });
    worker.addEventListener("message", ({ data }: MessageEvent<WorkerAnswer>) => this.#take(data));
    worker.addEventListener("error", () => {
      for (const { reject } of this.#waiting.values())
        reject(new Error("The log reader did not start. Reload the page."));
      this.#waiting.clear();
      this.#worker = undefined;
    });
    return worker;
  }

  #take(answer: WorkerAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (!waiting) return;
    if (answer.kind === "lines") {
      for (const line of answer.lines) waiting.lines.push(line);
      return;
    }
    this.#waiting.delete(answer.id);
    if (answer.kind === "fault") waiting.reject(new Error(answer.message));
    else waiting.resolve({ lines: waiting.lines, nextNs: answer.nextNs });
  }
}
