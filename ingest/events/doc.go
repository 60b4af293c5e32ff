// Package events turns Kubernetes events, as the programs that forward them write them, into seamark.Events. It does no
// I/O and makes nothing else; package ingest imports it and writes the log line that goes with each event (LogBody).
//
// DecodeObjects reads core/v1 and events.k8s.io/v1 Events, alone, in a List or array or one after the other, bare or in a
// watch's wrapper {"type","object"}: what kubectl prints, what Fluent Bit's kubernetes_events input sends with its http
// output, and the webhook of kubernetes-event-exporter, which adds clusterName. Fields are found by their keys; unknown
// ones are ignored. Where a sender has given the fields other names and places, as kubernetes-event-exporter's layout does,
// they are found by the ends of their paths, without case and separators: details.name, involved_object_name and
// {"object":{"name":"web-0"}} all name the object. Conditions of nodes, in a Node or as node-problem-detector lists them
// under /conditions, become events too; node-problem-detector's temporary problems are events already.
//
// One event is one row of the store, whoever forwards it and however often: the row is found by uid, namespace and first
// time, and the latest time and highest count win, in whatever order they come. FromRecord finds the events among log
// records, for senders that forward them over a protocol of logs.
//
// DecodeEventer reads the webhook of kube-eventer. Its default template does not escape the message and tells neither
// object nor namespace, and a comma is missing in it, so we recommend this one (custom_body_configmap), with EventMessage at
// the end:
//
//	{
//	  "EventType": {{ printf "%q" .Type }},
//	  "EventKind": {{ printf "%q" .InvolvedObject.Kind }},
//	  "EventNamespace": {{ printf "%q" .InvolvedObject.Namespace }},
//	  "EventName": {{ printf "%q" .InvolvedObject.Name }},
//	  "EventUID": {{ printf "%q" .UID }},
//	  "EventVersion": {{ printf "%q" .ResourceVersion }},
//	  "EventReason": {{ printf "%q" .Reason }},
//	  "EventSource": {{ printf "%q" (or .Source.Component .ReportingController) }},
//	  "EventNode": {{ printf "%q" (or .Source.Host .ReportingInstance) }},
//	  "EventCount": {{ .Count }},
//	  "EventFirstTime": "{{ .FirstTimestamp }}",
//	  "EventLastTime": "{{ .LastTimestamp }}",
//	  "EventTime": "{{ .EventTime }}",
//	  {{ with .Series }}"EventSeriesCount": {{ .Count }}, "EventSeriesTime": "{{ .LastObservedTime }}",{{ end }}
//	  "EventMessage": {{ printf "%q" .Message }}
//	}
package events
