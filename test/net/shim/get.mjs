// get.mjs URL: fetches f1 ... f20 at once into the working directory, half by fetch(), half by the http module.
import { writeFileSync } from "node:fs";
import http from "node:http";

const url = process.argv[2];
const byModule = name => new Promise((resolve, reject) => http.get(`${url}/${name}`, answer => {
    const parts = [];
    answer.on("data", part => parts.push(part));
    answer.on("end", () => resolve(Buffer.concat(parts)));
    answer.on("error", reject);
}).on("error", reject));
const byFetch = async name => Buffer.from(await (await fetch(`${url}/${name}`)).arrayBuffer());

await Promise.all([...Array(20).keys()].map(async i => writeFileSync(`f${i + 1}`, await (i % 2 ? byModule : byFetch)(`f${i + 1}`))));
process.exit(0);
