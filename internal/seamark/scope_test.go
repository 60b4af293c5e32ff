package seamark_test

import (
	"testing"

	"github.com/seamarkhq/seamark/internal/seamark"
)

func TestRestrictionAllows(t *testing.T) {
	clusters := &seamark.Restriction{Clusters: []string{"a", "b"}}
	both := &seamark.Restriction{Clusters: []string{"a"}, Namespaces: []string{"shop"}}
	for _, c := range []struct {
		only               *seamark.Restriction
		cluster, namespace string
		want               bool
	}{
		{nil, "", "", true}, {&seamark.Restriction{}, "", "", true},
		{clusters, "a", "", true}, {clusters, "b", "x", true}, {clusters, "c", "", false}, {clusters, "", "", false},
		{both, "a", "shop", true}, {both, "a", "", false}, {both, "a", "bank", false}, {both, "b", "shop", false}, {both, "", "shop", false},
	} {
		if got := c.only.Allows(c.cluster, c.namespace); got != c.want {
			t.Errorf("%s: cluster %q, namespace %q: got %t, want %t", c.only, c.cluster, c.namespace, got, c.want)
		}
		labels := []seamark.Label{{Name: "cluster", Value: c.cluster}, {Name: "job", Value: "x"}, {Name: "namespace", Value: c.namespace}}
		if got := c.only.AllowsLabels(labels); got != c.want {
			t.Errorf("%s: labels %v: got %t, want %t", c.only, labels, got, c.want)
		}
	}
}

func TestRestrictionCoversWhatIsNarrower(t *testing.T) {
	all, a, ab := (*seamark.Restriction)(nil), &seamark.Restriction{Clusters: []string{"a"}}, &seamark.Restriction{Clusters: []string{"a", "b"}}
	aShop := &seamark.Restriction{Clusters: []string{"a"}, Namespaces: []string{"shop"}}
	shop := &seamark.Restriction{Namespaces: []string{"shop"}}
	for _, c := range []struct {
		wide, narrow *seamark.Restriction
		want         bool
	}{
		{all, all, true}, {all, a, true}, {a, all, false}, {a, &seamark.Restriction{}, false}, {ab, a, true}, {a, ab, false}, {a, a, true},
		{a, aShop, true}, {aShop, a, false}, {shop, aShop, true}, {aShop, shop, false}, {a, shop, false},
	} {
		if got := c.wide.Covers(c.narrow); got != c.want {
			t.Errorf("%s covers %s: got %t, want %t", c.wide, c.narrow, got, c.want)
		}
	}
}

func TestRestrictionIntersect(t *testing.T) {
	ab, bc := &seamark.Restriction{Clusters: []string{"a", "b"}}, &seamark.Restriction{Clusters: []string{"b", "c"}, Namespaces: []string{"shop"}}
	if got := ab.Intersect(bc); !got.Allows("b", "shop") || got.Allows("a", "shop") || got.Allows("c", "shop") || got.Allows("b", "") {
		t.Errorf("got %s, want cluster b and namespace shop", got)
	}
	none := ab.Intersect(&seamark.Restriction{Clusters: []string{"c"}})
	for _, cluster := range []string{"", "a", "b", "c"} {
		if none.Allows(cluster, "") || !none.Narrows() {
			t.Errorf("what two restrictions without a common cluster have in common allows %q", cluster)
		}
	}
	if got := (*seamark.Restriction)(nil).Intersect(ab); got != ab {
		t.Errorf("got %s, want what one of both narrows to", got)
	}
}

func TestRestrictionRefusesWhatIsNoName(t *testing.T) {
	for _, name := range []string{"", "A", "a b", "a|b", ".*", "!", string(make([]byte, 64))} {
		r := &seamark.Restriction{Namespaces: []string{name}}
		if err := r.Validate(); seamark.KindOf(err) != seamark.Invalid || err == nil {
			t.Errorf("%q: got %v, want a refusal", name, err)
		}
	}
	if err := (&seamark.Restriction{Clusters: []string{"a", "a"}}).Validate(); err == nil {
		t.Error("a name that stands twice is taken")
	}
	if err := (&seamark.Restriction{Clusters: []string{"a-1"}, Namespaces: []string{"kube-system"}}).Validate(); err != nil {
		t.Error(err)
	}
}
