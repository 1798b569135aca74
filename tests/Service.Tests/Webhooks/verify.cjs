// Verifies a webhook with the reference library: {secret, headers, body} on standard input, {type} or {error} on standard output.
const { Webhook } = require('standardwebhooks');

const { secret, headers, body } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
try {
  console.log(JSON.stringify({ type: new Webhook(secret).verify(body, headers).type }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
