package policy

import (
	"strings"
)

// condition reads a Condition. An empty one is none.
func (r *reader) condition(v value) (Condition, error) {
	if v.kind != objectValue {
		return nil, r.fail(v.at, `Condition is an object such as {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}, and this is %s`, v.kind)
	}
	if len(v.members) == 0 {
		return nil, nil
	}
	condition := make(Condition, len(v.members))
	for _, m := range v.members {
		operator, known := operatorName(m.name)
		if !known {
			return nil, r.fail(m.at, "%s is no condition operator; use one such as StringEquals, ArnLike or Null, with IfExists after or ForAnyValue: or ForAllValues: before it", quotedName(m.name))
		}
		if m.value.kind != objectValue || len(m.value.members) == 0 {
			return nil, r.fail(m.value.at, `%s takes an object of condition keys, such as {"aws:RequestedRegion": "eu-central-1"}`, operator)
		}
		keys := make(map[string][]string, len(m.value.members))
		for _, k := range m.value.members {
			if k.name == "" {
				return nil, r.fail(k.at, "a condition key is empty; name one, such as aws:RequestedRegion")
			}
			values, err := r.scalars(k.value)
			if err != nil {
				return nil, err
			}
			keys[k.name] = values
		}
		condition[operator] = keys
	}
	return condition, nil
}

// scalars reads the values of a condition key. AWS takes numbers and booleans without
// quotation marks: reference_policies_grammar.
func (r *reader) scalars(v value) ([]string, error) {
	list := []value{v}
	if v.kind == listValue {
		if list = v.list; len(list) == 0 {
			return nil, r.fail(v.at, "a condition key has an empty list of values, which nothing matches; give it a value")
		}
	}
	texts := make([]string, 0, len(list))
	for _, v := range list {
		if v.kind != textValue && v.kind != scalarValue {
			return nil, r.fail(v.at, "a condition key takes texts, numbers and booleans, and this is %s", v.kind)
		}
		texts = append(texts, v.text)
	}
	return texts, nil
}

// operatorName gives an operator of reference_policies_elements_condition_operators in
// AWS's spelling.
func operatorName(s string) (name string, known bool) {
	set := ""
	for _, prefix := range []string{"ForAllValues:", "ForAnyValue:"} {
		if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
			set, s = prefix, s[len(prefix):]
			break
		}
	}
	const ifExists = "IfExists"
	optional := ""
	if base := len(s) - len(ifExists); base > 0 && strings.EqualFold(s[base:], ifExists) {
		optional, s = ifExists, s[:base]
	}
	for _, operator := range operatorNames() {
		if strings.EqualFold(s, operator) {
			return set + operator + optional, true
		}
	}
	// Null takes neither: the operator asks whether the key is present.
	return "Null", strings.EqualFold(s, "Null") && set == "" && optional == ""
}
