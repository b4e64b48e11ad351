/**
 * Where the work of a client stops until it is let on, so that whoever holds the gate knows how far it is. Work that is told of
 * no gate passes them all.
 */
export class Gate {
  /** Settles with the id that the work names when it is there. */
  readonly reached: Promise<string>;
  private readonly opened: Promise<void>;
  private reach: (id: string) => void = () => undefined;
  private letOn: () => void = () => undefined;

  /** @param at undefined: stops nowhere */
  constructor(readonly at?: Moment) {
    this.reached = new Promise((resolve) => (this.reach = resolve));
    this.opened = new Promise((resolve) => (this.letOn = resolve));
  }

  async pass(moment: Moment, id = ''): Promise<void> {
    if (moment !== this.at) return;
    this.reach(id);
    await this.opened;
  }

  /** For good: work that is done again passes. */
  open(): void {
    this.letOn();
  }
}

/** What a client has just done, or does, in the order of an import or an export. */
export type Moment =
  | 'logging in'
  | 'defined'
  | 'half uploaded'
  | 'uploaded'
  | 'started'
  | 'ended'
  | 'half downloaded'
  | 'posting'
  | 'posted';
