/// What `couler/graph` answers.
export interface Graph {
  svg: string;
  behind?: boolean;
}

/// The picture of the workflow. It is shown as an image, so that nothing in it can run, load or link.
export class GraphPane {
  private scale = 0; // 0: as large as fits
  private address = "";
  private shown = "";

  constructor(private readonly picture: HTMLImageElement, private readonly note: HTMLElement, private readonly frame: HTMLElement) {
    picture.addEventListener("load", () => this.fit());
    new ResizeObserver(() => this.fit()).observe(frame);
    frame.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.15 : 1 / 1.15);
    }, { passive: false });
  }

  /// One from before the mistakes that the program has now is faded. Null: it has none; the last one stays, faded.
  draw(graph: Graph | null, name: string): void {
    const old = graph === null || graph.behind === true;
    this.frame.classList.toggle("old", old);
    this.note.textContent = old ? "The program has mistakes, or no one workflow that no other calls." : "";
    if (graph === null) return;
    this.picture.alt = `Graph of ${name}`;
    if (graph.svg === this.shown) return;
    this.shown = graph.svg;
    URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(new Blob([graph.svg], { type: "image/svg+xml" }));
    this.picture.src = this.address;
  }

  /// By a factor, or back to what fits.
  zoom(factor: number | undefined): void {
    const now = this.picture.clientWidth / Math.max(1, this.picture.naturalWidth);
    this.scale = factor === undefined ? 0 : Math.min(6, Math.max(0.1, now * factor));
    this.fit();
  }

  private fit(): void {
    const { naturalWidth: width, naturalHeight: height } = this.picture;
    if (width === 0) return;
    const fits = Math.min(1, (this.frame.clientWidth - 24) / width, (this.frame.clientHeight - 24) / height);
    this.picture.style.width = `${Math.max(0.1, this.scale || fits) * width}px`;
  }
}
