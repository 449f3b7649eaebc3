/// Bars that move, by pointer and by arrow keys: each sets a share of its box, in percent.
export function splitters(): void {
  for (const bar of document.querySelectorAll<HTMLElement>("[role=separator]")) {
    const upright = bar.getAttribute("aria-orientation") === "vertical";
    const box = bar.parentElement as HTMLElement;
    const set = (share: number) => {
      const kept = Math.min(85, Math.max(15, share));
      box.style.setProperty("--share", `${kept}%`);
      bar.setAttribute("aria-valuenow", String(Math.round(kept)));
    };
    bar.addEventListener("pointerdown", (event) => {
      bar.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    bar.addEventListener("pointermove", (event) => {
      if (!bar.hasPointerCapture(event.pointerId)) return;
      const { left, top, width, height } = box.getBoundingClientRect();
      set(upright ? ((event.clientX - left) / width) * 100 : ((event.clientY - top) / height) * 100);
    });
    bar.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2 }[event.key];
      if (step === undefined) return;
      set(Number(bar.getAttribute("aria-valuenow")) + step);
      event.preventDefault();
    });
  }
}

/// Light, dark, or as the system has it.
class Theme {
  changed: (dark: boolean) => void = () => {};
  private readonly system = matchMedia("(prefers-color-scheme: dark)");
  private readonly button = document.getElementById("theme") as HTMLButtonElement;
  private choice = localStorage.getItem("couler-theme") ?? "system";

  constructor() {
    this.button.addEventListener("click", () => {
      this.choice = this.dark ? "light" : "dark";
      localStorage.setItem("couler-theme", this.choice);
      this.apply();
    });
    this.system.addEventListener("change", () => this.apply());
    this.apply();
  }

  get dark(): boolean {
    return this.choice === "system" ? this.system.matches : this.choice === "dark";
  }

  private apply(): void {
    document.documentElement.style.colorScheme = this.dark ? "dark" : "light";
    this.button.setAttribute("aria-pressed", String(this.dark));
    this.changed(this.dark);
  }
}

export const theme = new Theme();
