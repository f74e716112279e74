// No editor, no words but warnings: only what answers a delivery runs.
module.exports = {
    uiHost: '127.0.0.1',
    flowFile: 'flows.json',
    httpAdminRoot: false,
    functionExternalModules: true,
    editorTheme: { tours: false, telemetry: { enabled: false } },
    telemetry: { enabled: false },
    logging: { console: { level: 'warn', metrics: false, audit: false } },
};
