package scriptspec_test

import (
	"context"
	"fmt"
	"time"

	"github.com/scriptspec/scriptspec"
)

// What a history says of the steps of a store.
func ExampleStore_Stats() {
	store, done := exampleStore()
	defer done()
	h := store.History() // RuntimeTester{History: h} writes it
	for i := range 8 {
		err := h.Append(scriptspec.Record{
			At: scriptspec.NewTimestamp(time.Date(2026, 11, 1+i, 8, 0, 0, 0, time.UTC)), StepName: "Prep_training", Outcome: scriptspec.OutcomePassed,
			Duration: 1500 * time.Millisecond, InputDigest: "00112233445566cc",
		})
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	s, err := store.Stats(context.Background(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, step := range s.Steps {
		fmt.Println(step.StepName, step.Runs, step.Median, step.Duration)
	}
	// Output: Prep_training 8 1.5s too few runs (2 of 6)
}
