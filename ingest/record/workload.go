package record

import "strings"

// derivedWorkload names the workload of a record that does not name one itself. It goes by what says whose the pod is,
// never by the look of a pod's name alone, because "api-7f9c-x2x4z" may be anybody's:
//
//   - the owner that Vector ("ReplicaSet/api-7f9c") or Fluentd and Fluent Bit (ownerrefs) tell, or the ReplicaSet's name;
//   - the label pod-template-hash, which only pods of a ReplicaSet of a Deployment have;
//   - the label statefulset.kubernetes.io/pod-name of a StatefulSet's pods;
//   - the label pod-template-generation of a DaemonSet's pods;
//   - the label job-name of a Job's pods.
//
// A ReplicaSet gives its Deployment's name, which is its own without the hash, and a Job that a CronJob started gives the
// CronJob's, which is its own without the minute: names that change with each rollout or run would name nothing.
func (b *Builder) derivedWorkload(pod string) string {
	if owner := b.slots[ownerSlot]; owner.entry != nil {
		if kind, name := ownerOf(owner.value); kind != "" {
			return workloadOf(kind, name, pod)
		}
	}
	if rs := b.slots[replicaSetSlot].value; rs != "" {
		return workloadOf("ReplicaSet", rs, pod)
	}
	if hash := b.slots[templateHashSlot].value; hash != "" {
		// "api-7f9c-x2x4z" with the hash 7f9c; a name cut for its length keeps neither whole.
		if name, _, ok := strings.Cut(pod, "-"+hash+"-"); ok {
			return name
		}
		return ""
	}
	if job := b.slots[jobLabelSlot].value; job != "" {
		return workloadOf("Job", job, pod)
	}
	if b.slots[statefulLabelSlot].value != "" {
		return workloadOf("StatefulSet", "", pod)
	}
	if b.slots[daemonLabelSlot].value != "" {
		return workloadOf("DaemonSet", "", pod)
	}
	return ""
}

// workloadOf returns the workload of an owner of the given kind. Without the owner's name it is taken from the pod's.
func workloadOf(kind, name, pod string) string {
	switch kind {
	case "ReplicaSet":
		if name == "" {
			name = cutSuffix(pod, isRandom) // the pod's own part
		}
		return cutSuffix(name, isHash)
	case "Job":
		if name == "" {
			name = cutSuffix(pod, isRandom)
		}
		return cutSuffix(name, isMinute)
	case "StatefulSet":
		if name == "" {
			name = cutSuffix(pod, isOrdinal)
		}
	case "DaemonSet":
		if name == "" {
			name = cutSuffix(pod, isRandom)
		}
	case "Node": // a static pod is owned by its node, which is no workload
		return ""
	}
	return name
}

// cutSuffix cuts what stands behind the last hyphen of name when is says so of it.
func cutSuffix(name string, is func(string) bool) string {
	i := strings.LastIndexByte(name, '-')
	if i <= 0 || !is(name[i+1:]) {
		return name
	}
	return name[:i]
}

// safeLetters are what Kubernetes makes random names and hashes of (SafeEncodeString in k8s.io/apimachinery).
const safeLetters = "bcdfghjklmnpqrstvwxz2456789"

// isRandom tells the five letters that a controller puts behind a pod's name.
func isRandom(s string) bool { return len(s) == 5 && strings.Trim(s, safeLetters) == "" }

// isHash tells a pod-template-hash: a 32-bit number in decimal digits, each written in one of the safe letters. One in
// 40000 has less than six digits; a name that ends so, as in "api-v2", is more likely.
func isHash(s string) bool {
	return len(s) >= 6 && len(s) <= 10 && strings.Trim(s, safeLetters) == ""
}

// isMinute tells what a CronJob puts behind the names of its Jobs: minutes since 1970.
func isMinute(s string) bool { return len(s) == 8 && strings.Trim(s, "0123456789") == "" }

func isOrdinal(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// ownerOf reads a pod's owner: "Kind/name", or a JSON array of owner references, whose controller counts, else the first.
// The kind is "" when the text is neither.
func ownerOf(text string) (kind, name string) {
	if !strings.HasPrefix(text, "[") {
		kind, name, _ = strings.Cut(text, "/")
		return kind, name
	}
	err := Elements([]byte(text), func(ref []byte) error {
		var k, n string
		controller := false
		if err := Members(ref, func(key string, value []byte) error {
			switch key {
			case "kind":
				k, _ = Unquote(value)
			case "name":
				n, _ = Unquote(value)
			case "controller":
				controller = string(value) == "true"
			}
			return nil
		}); err != nil {
			return err
		}
		if kind == "" || controller {
			kind, name = k, n
		}
		return nil
	})
	if err != nil {
		return "", ""
	}
	return kind, name
}
