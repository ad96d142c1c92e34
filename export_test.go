package scriptspec

// InspectData lets the tests see what a run says of data.
var InspectData = inspectData
