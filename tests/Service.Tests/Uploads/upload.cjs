// Uploads a file with the real client, tus-js-client: node upload.cjs ENDPOINT FILE CHUNK. Prints the upload's address and the model's id.
const fs = require('node:fs');
const path = require('node:path');
const tus = require('tus-js-client');

const [endpoint, file, chunk] = process.argv.slice(2);
let model = null;
const upload = new tus.Upload(fs.createReadStream(file), {
  endpoint,
  uploadSize: fs.statSync(file).size,
  chunkSize: Number(chunk),
  metadata: { filename: path.basename(file) },
  retryDelays: new Array(600).fill(200),
  onAfterResponse: (request, response) => {
    model = response.getHeader('Condense-Model') ?? model;
  },
  onError: (error) => {
    console.error(String(error));
    process.exit(1);
  },
  onSuccess: () => {
    console.log(upload.url);
    console.log(model);
  },
});
upload.start();
