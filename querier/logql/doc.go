// Package logql reads LogQL, the query language of Grafana Loki, as its documentation describes it: text to a syntax tree
// and back. It accepts exactly what package engine evaluates, says where a text is wrong and what was expected there, and
// knows nothing of storage or HTTP.
package logql
