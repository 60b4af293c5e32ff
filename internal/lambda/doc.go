// Package lambda runs an http.Handler as an AWS Lambda function behind an HTTP API, a function URL or an Application Load Balancer:
// it speaks Lambda's Runtime API, turns each event into a request and the handler's response into the answer. It keeps nothing
// between two events, and knows neither tenants nor the product. Only cmd imports it.
package lambda
