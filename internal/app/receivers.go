package app

import (
	"context"

	"github.com/seamarkhq/seamark/alerting"
	"github.com/seamarkhq/seamark/api"
	"github.com/seamarkhq/seamark/internal/seamark"
)

// receiverAPI shows receivers and the delivery log in the API's words. It implements api.Receivers.
type receiverAPI struct{ service *alerting.Service }

func (r receiverAPI) ListReceivers(ctx context.Context, tenant seamark.TenantID) ([]api.Receiver, error) {
	found, err := r.service.ListReceivers(ctx, tenant)
	list := make([]api.Receiver, len(found))
	for i, one := range found {
		list[i] = api.Receiver(one)
	}
	return list, err
}

func (r receiverAPI) TestReceiver(ctx context.Context, tenant seamark.TenantID, name string, t *api.ReceiverTest) ([]api.ReceiverTrial, error) {
	trials, err := r.service.TestReceiver(ctx, tenant, name, alerting.ReceiverTest(*t))
	list := make([]api.ReceiverTrial, len(trials))
	for i, one := range trials {
		list[i] = api.ReceiverTrial{Integration: one.Integration, Status: string(one.Status), Code: one.Code, Error: one.Error, Seconds: one.Duration.Seconds()}
	}
	return list, err
}

func (r receiverAPI) ListDeliveries(ctx context.Context, tenant seamark.TenantID, receiver, status string) ([]api.Delivery, error) {
	found, err := r.service.ListDeliveries(ctx, tenant, alerting.DeliveryFilter{Receiver: receiver, Status: alerting.DeliveryStatus(status)})
	list := make([]api.Delivery, len(found))
	for i := range found {
		d := &found[i]
		list[i] = api.Delivery{
			Number: d.Number, Time: d.Time.UTC(), Receiver: d.Receiver, Integration: d.Integration, GroupKey: d.GroupKey, Alerts: d.Alerts, Attempt: d.Attempt,
			Status: string(d.Status), Code: d.Code, Error: d.Error, Retry: d.Retry, Seconds: d.Duration.Seconds(), Test: d.Test,
		}
	}
	return list, err
}
