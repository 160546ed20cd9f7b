/** Labels beside points that cover neither each other nor what is blocked: what core/draw/placing.c does, in small squares. */

const CELL = 4;
const WAYS = [[1, 0], [-1, 0], [0, -1], [0, 1], [0.7, -0.7], [0.7, 0.7], [-0.7, -0.7], [-0.7, 0.7]] as const;

export class Placing {
  private readonly columns: number;
  private readonly rows: number;
  private readonly taken: Uint8Array;

  constructor(width: number, height: number) {
    this.columns = Math.max(1, Math.floor(width / CELL));
    this.rows = Math.max(1, Math.floor(height / CELL));
    this.taken = new Uint8Array(this.columns * this.rows);
  }

  private each(x: number, y: number, width: number, height: number, act: (cell: number) => boolean): boolean {
    const [c0, c1] = [Math.floor(x / CELL), Math.floor((x + width) / CELL)];
    const [r0, r1] = [Math.floor(y / CELL), Math.floor((y + height) / CELL)];
    for (let row = r0; row <= r1; row++) {
      for (let column = c0; column <= c1; column++) {
        const within = row >= 0 && column >= 0 && row < this.rows && column < this.columns;
        if (!act(within ? row * this.columns + column : -1)) {
          return false;
        }
      }
    }
    return true;
  }

  block(x: number, y: number, width: number, height: number): void {
    this.each(x, y, width, height, cell => {
      if (cell >= 0) {
        this.taken[cell] = 1;
      }
      return true;
    });
  }

  /**
   * The top left of a free place beside a disc, which is then taken; null: there is none. `rings`: how far from the disc it may be;
   * beyond the first the label needs a line to its disc.
   */
  find(x: number, y: number, radius: number, width: number, height: number, rings = 1): { x: number; y: number; led: boolean } | null {
    for (let ring = 0; ring < rings; ring++) {
      const gap = radius + 2 + 9 * ring;
      for (const [dx, dy] of WAYS) {
        const left = x + dx * gap - (dx > 0 ? 0 : dx < 0 ? width : width / 2);
        const top = y + dy * gap - (dy > 0 ? 0 : dy < 0 ? height : height / 2);
        if (this.each(left, top, width, height, cell => cell >= 0 && !this.taken[cell])) {
          this.block(left, top, width, height);
          return { x: left, y: top, led: ring > 0 };
        }
      }
    }
    return null;
  }
}
