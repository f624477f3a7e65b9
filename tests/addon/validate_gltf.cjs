// node validate_gltf.cjs FOLDER_WITH_NODE_MODULES FILE...: the Khronos validator's report of each file, one JSON line each
const fs = require("fs");
const path = require("path");
const validator = require(path.join(process.argv[2], "node_modules", "gltf-validator"));

(async () => {
  for (const file of process.argv.slice(3)) {
    const report = await validator.validateBytes(new Uint8Array(fs.readFileSync(file)), { maxIssues: 1000 });
    console.log(JSON.stringify({ file: path.basename(file), ...report.issues }));
  }
})();
