import { type BlockReader, canInflate, readBlocks } from "./blocks";
import type {
  AnyRecord,
  CauseRecord,
  DeliveryRecord,
  FindingWords,
  LadderRecord,
  SessionRecord,
  SummaryRecord,
  WordsRecord,
} from "./record";
import { makeRowMaker, type Row } from "./row";

export interface Opened {
  record: SessionRecord;
  ladder: LadderRecord | null;
  raw: string;
}

/** Everything the page knows. It grows while the page loads; `version` tells that it did. */
export class Store {
  rows: Row[] = [];
  deliveries: DeliveryRecord[] = [];
  summary: SummaryRecord | null = null;
  words: WordsRecord | null = null;
  causes = new Map<string, CauseRecord>();
  findings = new Map<string, FindingWords>();
  /** The ids of all findings of all sessions. */
  found = new Set<string>();
  loading = true;
  /** Nothing can be shown, and why. */
  trouble = "";
  version = 0;

  private byId = new Map<string, number>();
  private storyOf = new Map<string, DeliveryRecord>();
  private reader: BlockReader | null = null;
  private listeners = new Set<() => void>();
  private makeRow = makeRowMaker();
  private timer = 0;

  load() {
    if (!canInflate()) {
      this.trouble = "This browser is too old for the report: it needs one of 2023 or later.";
      this.loading = false;
      return;
    }
    this.reader = readBlocks(
      (text, block) => this.add(text, block),
      () => this.finish(),
    );
  }

  listen(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  find(id: string): Row | undefined {
    const at = this.byId.get(id);
    return at === undefined ? undefined : this.rows[at];
  }

  story(id: string): DeliveryRecord | undefined {
    return this.storyOf.get(id);
  }

  /** The whole record of a session. */
  async open(row: Row): Promise<Opened | null> {
    const text = (await this.reader?.text(row.block)) ?? "";
    const to = text.indexOf("\n", row.at);
    if (to < 0) return null;
    const raw = text.slice(row.at, to);
    const next = text.slice(to + 1, text.indexOf("\n", to + 1));
    const ladder = next.startsWith('{"type":"ladder"') ? (JSON.parse(next) as LadderRecord) : null;
    return { record: JSON.parse(raw) as SessionRecord, ladder, raw };
  }

  /** Looks at the record of every session of `rows`; a false from `look` ends it. */
  async each(rows: readonly Row[], look: (row: Row, record: SessionRecord) => boolean | undefined) {
    const byBlock = new Map<number, Row[]>();
    for (const row of rows) {
      const list = byBlock.get(row.block);
      if (list) list.push(row);
      else byBlock.set(row.block, [row]);
    }
    for (const [block, list] of byBlock) {
      const text = (await this.reader?.text(block)) ?? "";
      for (const row of list) {
        const record = JSON.parse(text.slice(row.at, text.indexOf("\n", row.at))) as SessionRecord;
        if (look(row, record) === false) return;
      }
    }
  }

  private add(text: string, block: number) {
    let at = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", at)) {
      // The ladder is only looked at with its session.
      if (!text.startsWith('{"type":"ladder"', at)) {
        this.take(JSON.parse(text.slice(at, end)) as AnyRecord, block, at);
      }
      at = end + 1;
    }
    this.changed();
  }

  private take(record: AnyRecord, block: number, at: number) {
    switch (record.type) {
      case "session":
        if (!this.byId.has(record.id)) this.byId.set(record.id, this.rows.length);
        for (const { id } of record.findings) this.found.add(id);
        this.rows.push(this.makeRow(record, this.rows.length, { block, at }));
        break;
      case "delivery":
        this.deliveries.push(record);
        for (const id of record.attempts) this.storyOf.set(id, record);
        break;
      case "summary":
        this.summary = record;
        break;
      case "cause":
        this.causes.set(record.id, record);
        break;
      case "words":
        this.words = record;
        for (const finding of record.findings) this.findings.set(finding.id, finding);
        break;
    }
  }

  private finish() {
    this.loading = false;
    if (!this.summary) {
      this.trouble = "The end of this file is missing: what is shown is not all. Ask for the file again.";
    }
    this.tell();
  }

  /** The first block is shown at once; what comes after it now and then, the rarer the more there is to draw. */
  private changed() {
    if (this.rows.length > 0 && this.version === 0) return this.tell();
    if (!this.timer) this.timer = window.setTimeout(() => this.tell(), 300 + this.rows.length / 20);
  }

  private tell() {
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.version++;
    for (const listener of this.listeners) listener();
  }
}
