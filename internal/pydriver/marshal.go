package pydriver

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
)

// appendMarshal appends v as Python's marshal.loads reads it, version 2 of the format: see w_object in
// CPython's marshal.c. It takes what JSON has, as strings, bools, json.Number, numbers, []any and
// maps, and []string, []byte. An interpreter has marshal built in, while importing json takes as long
// as a quarter of its start.
func appendMarshal(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, 'N'), nil
	case bool:
		if v {
			return append(b, 'T'), nil
		}
		return append(b, 'F'), nil
	case string:
		return appendSized(b, 'u', v), nil
	case []byte:
		return appendSized(b, 's', string(v)), nil
	case json.Number:
		return appendNumber(b, v)
	case []any:
		return appendList(b, v)
	case []string:
		return appendList(b, v)
	case [][]byte:
		return appendList(b, v)
	case map[string]any:
		return appendDict(b, v)
	case map[string]string:
		return appendDict(b, v)
	}
	return nil, fmt.Errorf("marshal: a %T", v)
}

func appendSized(b []byte, kind byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(append(b, kind), uint32(len(s))), s...)
}

func appendList[T any](b []byte, list []T) (_ []byte, err error) {
	b = binary.LittleEndian.AppendUint32(append(b, '['), uint32(len(list)))
	for _, item := range list {
		if b, err = appendMarshal(b, item); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func appendDict[T any](b []byte, dict map[string]T) (_ []byte, err error) {
	b = append(b, '{')
	for _, key := range slices.Sorted(maps.Keys(dict)) {
		b = appendSized(b, 'u', key)
		if b, err = appendMarshal(b, dict[key]); err != nil {
			return nil, err
		}
	}
	return append(b, '0'), nil
}

// appendNumber writes an int for the text of an integer and a float for any other, as json.loads
// takes them.
func appendNumber(b []byte, n json.Number) ([]byte, error) {
	i, ok := new(big.Int).SetString(n.String(), 10)
	if !ok {
		f, err := strconv.ParseFloat(n.String(), 64)
		if err != nil && !math.IsInf(f, 0) { // 1e400 is inf in Python as well
			return nil, fmt.Errorf("marshal: the number %.20q", n.String())
		}
		return binary.LittleEndian.AppendUint64(append(b, 'g'), math.Float64bits(f)), nil
	}
	if i.IsInt64() && i.Int64() == int64(int32(i.Int64())) {
		return binary.LittleEndian.AppendUint32(append(b, 'i'), uint32(i.Int64())), nil
	}
	// Groups of 15 bits, the lowest first; their number has the sign.
	const group = 15
	count := (i.BitLen() + group - 1) / group
	size := count
	if i.Sign() < 0 {
		size = -count
	}
	b = binary.LittleEndian.AppendUint32(append(b, 'l'), uint32(int32(size)))
	magnitude := i.Abs(i).Bytes()
	slices.Reverse(magnitude)
	for at := range count {
		var bits uint32
		for k := range 3 { // 15 bits touch at most three bytes
			if index := at*group/8 + k; index < len(magnitude) {
				bits |= uint32(magnitude[index]) << (8 * k)
			}
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(bits>>(at*group%8)&(1<<group-1)))
	}
	return b, nil
}
