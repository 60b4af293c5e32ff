package api

import (
	"slices"
	"strings"
)

// advice is what to do about the reasons that start with a prefix.
type advice struct{ prefix, text string }

// dropAdvice says what the reader can do about a reason. Reasons that are new to this table are judged by their status: a
// sender keeps what may succeed later, and gives up what cannot.
func dropAdvice(reason string, statuses []uint16) string {
	for _, list := range [][]advice{limitAdvice(), dataAdvice(), senderAdvice(), platformAdvice()} {
		for _, a := range list {
			if strings.HasPrefix(reason, a.prefix) {
				return a.text
			}
		}
	}
	if slices.ContainsFunc(statuses, func(s uint16) bool { return s == 429 || s >= 500 }) {
		return "Nothing is wrong with the data: the sender keeps it and tries again. Look at it when it does not end by itself."
	}
	return "The sender was told that this can never succeed, so it gave the data up. Read the detail, and change what the sender sends."
}

func limitAdvice() []advice {
	return []advice{
		{"seamark-quota-daily", "The day's volume is used up. Drop what nobody reads at the sender or with a pipeline, or ask for more daily_bytes; the day ends at midnight UTC."},
		{"seamark-quota", "The sender is faster than its quota; agents that retry on 429 deliver later. Sample or drop at the sender, or ask for a higher rate under /api/v1/quotas."},
		{"seamark-series-limit", "Too many different metric series within an hour. Look for a label whose values never repeat (ids, addresses, times) and drop it at the sender, or ask for more active_series."},
		{"seamark-streams-limit", "Too many different log streams within an hour. Move labels whose values never repeat into structured metadata or the line, or ask for more active_streams."},
		{"seamark-line-bytes", "A line is longer than the limit. Split it or cut it at the sender, or ask for a higher max_line_bytes."},
		{"seamark-attributes-limit", "A row has more attributes than the limit. Send fewer, or ask for a higher max_attrs."},
		{"seamark-label", "A label is too long, malformed, repeated or one too many. The detail names it: rename, shorten or drop it with relabelling at the sender."},
		{"seamark-time-window", "Timestamps lie outside the window that is taken. Set the sender's clock (NTP), or check the unit of its timestamps: seconds, milliseconds and nanoseconds are easily mixed up."},
		{"seamark-body-large", "Requests are larger than the limit. Set a smaller batch size at the sender."},
		{"seamark-body-inflated", "Requests are larger than the limit once they are decompressed. Set a smaller batch size at the sender."},
		{"seamark-rows-limit", "A request has more rows than its size allows. Set a smaller batch size at the sender."},
		{"seamark-ha-", "The pairs of Prometheus servers are not recognised. Check the labels cluster and __replica__ in external_labels: each pair has one cluster, each server its own replica."},
		{"other", "There were more kinds of refusals than the ledger keeps apart. Mend those above first."},
	}
}

func dataAdvice() []advice {
	return []advice{
		{"seamark-metric-name", "A series has no metric name or a malformed one. Check the relabelling of __name__ at the sender."},
		{"seamark-series-unnamed", "A series has no metric name. Check the relabelling of __name__ at the sender."},
		{"seamark-histogram", "A histogram contradicts itself. Update the library or the agent that makes it; the detail says what does not fit."},
		{"seamark-temporality", "The sender does not say whether its sums are cumulative or deltas. Set the temporality in its exporter."},
		{"seamark-line", "A log line is not in the form of its protocol. The detail names the field: check the output's format at the sender."},
		{"seamark-event", "An object is not a Kubernetes event in a form that is known here. Check which version of the exporter sends to this path."},
		{"seamark-body-compression", "The body is not compressed as its Content-Encoding says. Check the compression setting of the sender, and of proxies between."},
		{"seamark-body-encoding", "The compression is not supported here. Use gzip, zstd, snappy or deflate."},
		{"seamark-body-slow", "Bodies arrive too slowly. Look at the network between the sender and this platform."},
		{"seamark-body-short", "Connections end before their bodies are complete. Look at time-outs of the sender and of proxies between."},
		{"seamark-body", "The body is not what the path takes. Check that the sender's protocol and its URL belong together."},
		{"seamark-media-unsupported", "The Content-Type does not belong to the path. Check that the sender's protocol and its URL belong together."},
		{"seamark-pipeline", "A pipeline of yours dropped the rows. Change its steps if they were wanted."},
	}
}

func senderAdvice() []advice {
	return []advice{
		{"seamark-token-revoked", "A sender still uses a token that was revoked. The token's id tells which: give it a new one."},
		{"seamark-token-expired", "A sender still uses a token that has expired. The token's id tells which: give it a new one."},
		{"seamark-token", "A sender uses a token that is not valid. Copy the token again, whole, and see that no proxy changes the Authorization header."},
		{"seamark-permission", "The token may not do this. Use an ingest token of the cluster whose scope has the signal."},
		{"seamark-scope", "The token's scope does not have the signal. Use a token that has it, or send this signal elsewhere."},
		{"seamark-stream-scope", "The token's scope does not have the signal. Use a token that has it, or send this signal elsewhere."},
		{"seamark-tenant-suspended", "The tenant is suspended. Ask the operator of the platform."},
		{"seamark-route-unknown", "The sender's URL leads nowhere. Compare its path with the documentation of its protocol."},
	}
}

func platformAdvice() []advice {
	const wait = "The platform was under pressure; nothing is wrong with the data, and the sender tries again. Tell the operator when it does not end by itself."
	return []advice{
		{"seamark-queue-busy", wait},
		{"seamark-bus-busy", wait},
		{"seamark-ingest-busy", wait},
		{"seamark-memory", wait},
		{"seamark-disk-full", wait},
		{"seamark-directory", wait},
		{"seamark-internal", "The platform failed; the sender tries again. Report it to the operator with the time."},
	}
}
