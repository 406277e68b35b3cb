/**
 * Imported before onnxruntime: the library's own builds report to Microsoft (process, sessions, models, errors) and leave a device
 * identifier in the user's cache folder unless the environment says no before it starts. nomoat promises that nothing leaves the machine.
 * Both names, since versions differ: https://github.com/microsoft/onnxruntime/pull/27379 and /29843.
 */
process.env['ORT_DISABLE_TELEMETRY'] = '1';
process.env['ORT_TELEMETRY_DISABLED'] = '1';
