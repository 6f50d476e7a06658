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
      crawl: {},
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
    lost: {},
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
  triggers: {
    id: {},
    when: {
      keypoint: {},
      layers: {},
      area: {
        left: {},
        top: {},
        right: {},
        bottom: {},
      },
      absent: {},
    },
    do: {
      scene: {},
      show: {},
      for_ms: {},
      sound: {},
      snapshot: {
        area: {
          left: {},
          top: {},
          right: {},
          bottom: {},
        },
      },
      event: {},
      twirl: {
        angle: {},
        period_ms: {},
        area: {
          left: {},
          top: {},
          right: {},
          bottom: {},
        },
      },
      icons: {
        image: {},
        width: {},
        keypoint: {},
        dx: {},
        dy: {},
        shuffle_ms: {},
        area: {
          left: {},
          top: {},
          right: {},
          bottom: {},
        },
      },
      polaroid: {
        image: {},
        width: {},
        height: {},
        photo_width: {},
        photo_height: {},
        every_ms: {},
        sound: {},
        area: {
          left: {},
          top: {},
          right: {},
          bottom: {},
        },
      },
    },
    every_ms: {},
    hold_off_ms: {},
  },
  music: {},
  warnings: {},
};
