// Package httpx is the HTTP edge: the route table, the credential check before the body is read, one error table, one
// envelope per dialect, request ids, access log and metrics. It alone knows the HTTP framework, so that a framework's end
// of life is a change of one package. It knows nothing of tenants' data; handlers are handed in.
package httpx
