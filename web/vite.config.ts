import { defineConfig } from "vite";

// The server embeds `dist` and answers `/`, `/r/ROOM` and `/app/*` from it; everything else is its API. All addresses are
// relative to the page's `<base>`, which the server sets where a proxy offers it under a path.
export default defineConfig({
  base: "./",
  build: {
    assetsDir: "app",
    // Every asset is a file of its own, so that the server may forbid inline scripts and data addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8080", ws: true } } },
});
