// nodemailer - the Node.js sender; pipelines MAIL, RCPT and DATA.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const env = process.env;
const require = createRequire(`${env.INTEROP_CACHE}/npm/`);
const nodemailer = require('nodemailer');

const transport = nodemailer.createTransport({
    host: env.INTEROP_HOST,
    port: Number(env.INTEROP_PORT),
    secure: env.INTEROP_SECURITY === 'tls',
    requireTLS: true,
    tls: { ca: readFileSync(env.INTEROP_CA) },
    auth: { user: env.INTEROP_USER, pass: env.INTEROP_PASSWORD },
});
const domain = env.INTEROP_FROM.split('@')[1];
const info = await transport.sendMail({
    from: { name: 'Größe & Co', address: env.INTEROP_FROM },
    to: env.INTEROP_TO,
    subject: `Order shipped ${env.INTEROP_TOKEN}`,
    messageId: `<${env.INTEROP_TOKEN}@${domain}>`,
    text: 'Your parcel is on its way ✓\n.\nTrack it online.\n',
    html: '<p>Your parcel is on its way ✓</p>',
    attachments: [{ filename: 'label.txt', content: 'label\n'.repeat(400) }],
});
transport.close();
console.log(require('nodemailer/package.json').version, info.response);
