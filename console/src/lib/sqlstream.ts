/** A column of an answer. */
export interface SqlColumn {
  readonly name: string;
  /** ClickHouse's type. */
  readonly type: string;
}

export type SqlRow = readonly unknown[];

/** What came with a piece of an answer. */
export interface SqlPiece {
  /** Known from the first piece on that has them. */
  readonly columns?: readonly SqlColumn[];
  readonly rows: readonly SqlRow[];
}

// Longer runs of digits may be numbers that JavaScript rounds.
const longNumber = /\d{16}/;

/**
 * SqlReader takes an answer in the format JSON apart while it comes: {"meta": [...], "data": [{...}, ...], ...}. It follows strings and
 * brackets only, and parses one row at a time.
 */
export class SqlReader {
  private text = "";
  private at = 0;
  private start = -1;
  private depth = 0;
  private inString = false;
  private escaped = false;
  private section = "";
  private columns: readonly SqlColumn[] | undefined;
  private closed = false;

  /** Whether the answer came to its end; one that was cut off did not. */
  get whole(): boolean {
    return this.closed;
  }

  /** push takes the next part of the text and returns the rows that are complete. */
  push(part: string): SqlPiece {
    this.text = this.text.slice(this.keepFrom()) + part;
    const rows: SqlRow[] = [];
    const knew = this.columns !== undefined;
    for (; this.at < this.text.length; this.at++) this.step(this.text.charCodeAt(this.at), rows);
    return !knew && this.columns ? { columns: this.columns, rows } : { rows };
  }

  /** keepFrom forgets what was read, but for a value that is not complete. */
  private keepFrom(): number {
    const from = this.start >= 0 ? this.start : this.at;
    this.at -= from;
    if (this.start >= 0) this.start = 0;
    return from;
  }

  private step(code: number, rows: SqlRow[]): void {
    if (this.inString) {
      if (this.escaped) this.escaped = false;
      else if (code === 0x5c) this.escaped = true;
      else if (code === 0x22) this.endString();
      return;
    }
    switch (code) {
      case 0x22: // "
        this.inString = true;
        // A name directly in the answer begins a section.
        if (this.depth === 1) this.start = this.at;
        break;
      case 0x7b: // {
      case 0x5b: // [
        this.depth++;
        if (this.depth === this.valueDepth()) this.start = this.at;
        break;
      case 0x7d: // }
      case 0x5d: // ]
        if (this.depth === this.valueDepth() && this.start >= 0) this.endValue(rows);
        this.depth--;
        if (this.depth === 0) this.closed = true;
        break;
    }
  }

  /** Rows are objects in the list "data"; the columns are taken as the whole list "meta". */
  private valueDepth(): number {
    return this.section === "data" ? 3 : this.section === "meta" ? 2 : -1;
  }

  private endString(): void {
    this.inString = false;
    if (this.depth !== 1) return;
    this.section = JSON.parse(this.text.slice(this.start, this.at + 1)) as string;
    this.start = -1;
  }

  private endValue(rows: SqlRow[]): void {
    const text = this.text.slice(this.start, this.at + 1);
    this.start = -1;
    if (this.section === "meta") {
      this.columns = JSON.parse(text) as SqlColumn[];
      return;
    }
    const row = parseRow(text);
    rows.push((this.columns ?? []).map(({ name }) => row[name] ?? null));
  }
}

// Strings are matched first, so that digits in them stay what they are.
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d{16,}(?![\d.eE])/g;

function parseRow(text: string): Record<string, unknown> {
  // Whole numbers beyond 2^53 are kept as text.
  const exact = longNumber.test(text)
    ? text.replace(stringOrNumber, (one) => (one.startsWith('"') ? one : `"${one}"`))
    : text;
  return JSON.parse(exact) as Record<string, unknown>;
}
