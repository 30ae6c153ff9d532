// A notifier: posts each notice to a Discord channel, by a webhook of that channel.

import * as watchkeeper from "watchkeeper-sdk";
import { http } from "watchkeeper-sdk";

const COLOURS = { healthy: 0x2e9e5b, sick: 0xd9a514, dead: 0xd13438 };

// What Discord takes at most, in characters, and in fields of one embed.
const LIMITS = { title: 256, description: 4096, name: 256, value: 1024, fields: 10 };

export const notifier = watchkeeper.notifier({
  name: "discord",
  version: "0.1.0",
  summary: "Posts notices to a Discord channel",
  asks: ["http"],
  // Whoever knows the webhook's address can post: it is a secret. Its host is granted
  // because it is a URI of the configuration.
  config: {
    type: "object",
    additionalProperties: false,
    required: ["webhook"],
    properties: {
      webhook: {
        type: "string",
        format: "uri",
        writeOnly: true,
        description: "The webhook's address, from the channel's settings.",
      },
      username: { type: "string", maxLength: 80, description: "The name to post under." },
    },
  },

  notify({ webhook, username }, notice) {
    http.post(webhook, { json: message(notice, username) }).delivered();
  },
});

function message(notice, username) {
  const affected = notice.affected.slice(0, LIMITS.fields);
  const left = notice.affected.length - affected.length;
  return {
    username,
    // What a target answers must not call a whole server to its screens.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: cut(notice.title, LIMITS.title),
        description: cut(notice.body, LIMITS.description),
        url: notice.incidentUrl ?? notice.pageUrl,
        color: COLOURS[notice.health],
        timestamp: notice.at.toISOString(),
        fields: affected.map(({ service, monitor, health, reason }) => ({
          name: cut(`${service}: ${monitor}`, LIMITS.name),
          value: cut(reason ? `${health}: ${reason}` : health, LIMITS.value),
        })),
        footer: { text: left > 0 ? `${notice.pageTitle}; ${left} more` : notice.pageTitle },
      },
    ],
  };
}

function cut(text, limit) {
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}
