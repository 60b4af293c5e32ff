// Package events turns Kubernetes events, as the programs that forward them write them, into seamark.Events. It does no
// I/O and makes nothing else; package ingest imports it and writes the log line that goes with each event (LogBody).
//
// DecodeObjects reads core/v1 and events.k8s.io/v1 Events, alone, in a List or array or one after the other, and with
// them the webhook of kubernetes-event-exporter, which adds clusterName. Fields are found by their keys; unknown ones are
// ignored.
//
// DecodeEventer reads the webhook of kube-eventer. Its default template does not escape the message and tells neither
// object nor namespace, so we recommend this one (custom_body_configmap), with EventMessage at the end:
//
//	{
//	  "EventType": {{ printf "%q" .Type }},
//	  "EventKind": {{ printf "%q" .InvolvedObject.Kind }},
//	  "EventNamespace": {{ printf "%q" .InvolvedObject.Namespace }},
//	  "EventName": {{ printf "%q" .InvolvedObject.Name }},
//	  "EventUID": {{ printf "%q" .UID }},
//	  "EventVersion": {{ printf "%q" .ResourceVersion }},
//	  "EventReason": {{ printf "%q" .Reason }},
//	  "EventSource": {{ printf "%q" .Source.Component }},
//	  "EventNode": {{ printf "%q" .Source.Host }},
//	  "EventCount": {{ .Count }},
//	  "EventFirstTime": "{{ .FirstTimestamp }}",
//	  "EventLastTime": "{{ .LastTimestamp }}",
//	  "EventTime": "{{ .EventTime }}",
//	  "EventMessage": {{ printf "%q" .Message }}
//	}
package events
