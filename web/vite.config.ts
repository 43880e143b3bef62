import { createHash } from "node:crypto";
import { defineConfig, type Plugin } from "vite";

const sha256 = (text: string) => `'sha256-${createHash("sha256").update(text, "utf8").digest("base64")}'`;

/**
 * Puts script and style into the page, and a policy in front of them that allows exactly these two and
 * nothing from anywhere else. The script stands before the records, so that it runs while they load.
 */
function onePage(): Plugin {
  return {
    name: "one-page",
    enforce: "post",
    generateBundle(_options, bundle) {
      const page = bundle["index.html"];
      if (page?.type !== "asset") throw new Error("there is no page");
      let script = "";
      let style = "";
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") script += file.code;
        else if (name.endsWith(".css")) style += file.source;
        else if (file !== page) throw new Error(`${name} cannot be put into the page`);
        if (file !== page) delete bundle[name];
      }
      script = script.trim();
      style = style.trim();
      if (/<\/(script|style)|<!--/i.test(script + style)) throw new Error("the page would end too early");
      const policy = [
        "default-src 'none'",
        `script-src ${sha256(script)}`,
        `style-src ${sha256(style)}`,
        "base-uri 'none'",
        "form-action 'none'",
        // Text is never made into markup or a program, not even by mistake.
        "require-trusted-types-for 'script'",
      ].join("; ");
      page.source = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/g, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/g, "")
        .replace("<!--policy-->", () => `<meta http-equiv="Content-Security-Policy" content="${policy}" />`)
        .replace("</head>", () => `<style>${style}</style>\n  </head>`)
        .replace("<!--records-->", () => `<script>${script}</script>\n<!--records-->`);
      page.fileName = "report.html";
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [onePage()],
  build: {
    outDir: "built",
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    rollupOptions: { output: { format: "iife" } },
  },
});
