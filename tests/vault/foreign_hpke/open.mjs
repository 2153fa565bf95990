// Opens one seal with the library that is named. Input: {"library", "seed", "sealed"}; output: the clear text, in hexadecimal.
import { readFileSync } from "node:fs";

const { library, seed, sealed } = JSON.parse(readFileSync(0, "utf8"));
const bytes = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const [header, encapsulated, content] = sealed.split(".");
const info = new TextEncoder().encode(header);

async function byHpkeJs() {
  const { Aes256Gcm, CipherSuite, HkdfSha256 } = await import("@hpke/core");
  const { XWing } = await import("@hpke/hybridkem-x-wing");
  const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });
  const recipientKey = await suite.kem.importKey("raw", bytes(seed).buffer, false);
  return suite.open({ recipientKey, enc: bytes(encapsulated), info }, bytes(content));
}

async function byPanva() {
  const { CipherSuite } = await import("hpke");
  const noble = await import("@panva/hpke-noble");
  const suite = new CipherSuite(noble.KEM_MLKEM768_X25519, noble.KDF_HKDF_SHA256, noble.AEAD_AES_256_GCM);
  const key = await suite.DeserializePrivateKey(bytes(seed), true);
  return suite.Open(key, bytes(encapsulated), bytes(content), { info });
}

const open = { "@hpke/core": byHpkeJs, "@panva/hpke-noble": byPanva }[library];
process.stdout.write(Buffer.from(await open()).toString("hex"));
