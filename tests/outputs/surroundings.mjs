// What the server is started in: where it trusts an authority of this run, and, if wanted, in a network of its own.
//
// The server trusts whom the system trusts, and reads that from a list at a fixed place. So it gets a mount namespace in
// which that list has one authority more; nothing of the machine is changed.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { scratch } from "../browser/place.mjs";

/** Where systems keep the authorities that they trust: GnuTLS, for RTMPS, and our server look here. */
const LISTS = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

function openssl(...args) {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** An authority of this run, and a certificate of it for these addresses: `authority`, `chain` and `key` are files. */
export function certify(addresses) {
  const folder = mkdtempSync(join(scratch, "certificate-"));
  const file = (name) => join(folder, name);
  const fresh = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  const authority = ["-subj", "/CN=An authority of this run", "-addext", "keyUsage=critical,keyCertSign"];
  openssl(...fresh, ...authority, "-keyout", file("authority.key"), "-out", file("authority.pem"));
  const names = ["DNS:localhost", ...addresses.map((address) => `IP:${address}`)].join(",");
  const server = ["-subj", "/CN=localhost", "-addext", `subjectAltName=${names}`];
  const usage = ["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"];
  const signed = ["-CA", file("authority.pem"), "-CAkey", file("authority.key")];
  openssl(...fresh, ...server, ...usage, ...signed, "-keyout", file("server.key"), "-out", file("server.pem"));
  return { authority: file("authority.pem"), chain: file("server.pem"), key: file("server.key") };
}

/**
 * Makes a program of the server that trusts this authority, in a network namespace if one is named, and has
 * `../browser` start that instead. It becomes the server: its process is the server's.
 */
export function surround(program, { authority, namespace = null }) {
  const folder = mkdtempSync(join(scratch, "surroundings-"));
  const list = LISTS.find((file) => existsSync(file));
  if (!list) throw new Error(`this system keeps no list of authorities at ${LISTS.join(", ")}`);
  const more = join(folder, "authorities.pem");
  writeFileSync(more, `${readFileSync(list, "utf8")}\n${readFileSync(authority, "utf8")}`);
  const inside = namespace ? `ip netns exec '${namespace}' ` : "";
  const alone = process.getuid() === 0 ? "unshare --mount" : "unshare --map-root-user --mount";
  const script = `mount --bind "$1" "$2" && shift 2 && exec "$@"`;
  const file = join(folder, "virfie");
  const line = `exec ${inside}${alone} sh -c '${script}' sh '${more}' '${list}' '${resolve(program)}' "$@"`;
  writeFileSync(file, `#!/bin/sh\n${line}\n`);
  chmodSync(file, 0o755);
  process.env.VIRFIE_BIN = file;
}
