/** The room's assets: the list that all parts of the page share, uploads and deletions. */

import type { StudioApi, Asset, AssetKey } from "./studio/api";

/** The server decides; this spares an upload that cannot succeed. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Returns a file's name as the name of an asset. */
export function assetName(file: string): string {
  const plain = file.normalize("NFKD").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/-+$/, "");
  // From the end, which has the kind of file; a name may not begin with a dot.
  return plain.slice(-64).replace(/^[-.]+/, "") || "background";
}

export class Shelf {
  assets: readonly Asset[] = [];
  private readonly listeners: (() => void)[] = [];
  /** Pictures that were fetched, by the asset's name and size. */
  private readonly fetched = new Map<string, Promise<string>>();

  constructor(
    private readonly api: StudioApi,
    private readonly room: () => string | null,
  ) {}

  /** Calls `listener` whenever the list is another one. */
  listen(listener: () => void): void {
    this.listeners.push(listener);
  }

  get images(): Asset[] {
    return this.assets.filter((asset) => asset.content_type.startsWith("image/"));
  }

  get sizes(): Map<string, { width: number; height: number }> {
    return new Map(this.images.map(({ name, width, height }) => [name, { width: width ?? 16, height: height ?? 9 }]));
  }

  /** Reads the list again. */
  async refresh(): Promise<void> {
    this.assets = await this.api.assets(this.room());
    for (const listener of this.listeners) listener();
  }

  /** Uploads a file; resolves to the asset's name. `progress` gets the share that is sent. Rejects with a sentence. */
  async upload(file: File, progress: (share: number) => void = () => undefined): Promise<string> {
    if (file.size > MAX_BYTES) throw new Error(`it is larger than ${MAX_BYTES / 1024 / 1024} MiB.`);
    const name = assetName(file.name);
    // One that belongs to the room is replaced there.
    const room = this.assets.find((asset) => asset.name === name)?.room ?? null;
    await this.api.putAsset({ name, room }, file, progress);
    await this.refresh();
    return name;
  }

  async remove(asset: AssetKey): Promise<void> {
    await this.api.deleteAsset(asset);
    await this.refresh();
  }

  /** Returns an address at which the image can be shown in this page. */
  picture({ name, room, bytes }: Asset): Promise<string> {
    const key = `${room ?? ""} ${name} ${bytes}`;
    const known = this.fetched.get(key);
    if (known) return known;
    // With the token, which an <img> could not send.
    const address = this.api.asset({ name, room }).then((blob) => URL.createObjectURL(blob));
    address.catch(() => this.fetched.delete(key));
    this.fetched.set(key, address);
    return address;
  }
}
