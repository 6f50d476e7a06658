/* Made by `make api` from the server's OpenAPI document. Changes by hand are lost. */

/** Keys in the order in which people think of them, each with those below it. */
export interface KeyOrder {
  readonly [key: string]: KeyOrder;
}

/** Those of layouts. */
export const ORDER: KeyOrder = {
  canvas: {
    width: {},
    height: {},
    fps: {},
    background: {},
  },
  layers: {
    id: {},
    source: {
      text: {},
      font: {},
      size: {},
      weight: {},
      color: {},
      align: {},
      line_height: {},
      background: {},
      padding: {},
    },
    x: {},
    y: {},
    width: {},
    height: {},
    scale: {},
    anchor: {},
    fit: {},
    crop: {
      left: {},
      top: {},
      right: {},
      bottom: {},
    },
    z: {},
    opacity: {},
    mirror: {},
    cutout: {},
    threshold: {},
    feather: {},
    smoothing: {},
    model: {},
    rotate: {},
    radius: {},
    border: {
      width: {},
      color: {},
    },
    background: {
      blur: {},
    },
    fallback: {},
    follow: {
      layer: {},
      keypoint: {},
      anchor: {},
      dx: {},
      dy: {},
      scale: {},
    },
    transition: {
      duration_ms: {},
      easing: {},
    },
  },
  auto: {
    mode: {},
    gap: {},
    cutout: {},
    threshold: {},
    feather: {},
    smoothing: {},
    model: {},
  },
  transition: {
    duration_ms: {},
    easing: {},
  },
  triggers: {},
  music: {},
  warnings: {},
};
