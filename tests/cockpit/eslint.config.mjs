// What ESLint looks for in the page: its recommended rules, and whatever would let text become code or markup.

import js from "@eslint/js";
import globals from "globals";

const MARKUP = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", "write", "writeln"].map(property => ({ property, message: "what strangers write would become markup: use elements.js" }));

export default [
    js.configs.recommended,
    {
        languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: { ...globals.browser, cockpit: "readonly" } },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            "eqeqeq": "error",
            "no-eval": "error",
            "no-implied-eval": "error",
            "no-new-func": "error",
            "no-script-url": "error",
            "no-restricted-properties": ["error", ...MARKUP],
            "no-console": "error",
            "no-shadow": "error",
            "no-var": "error",
            "prefer-const": "error",
            "consistent-return": "error",
            "default-case-last": "error",
            "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
            "max-lines-per-function": ["error", 45],
        },
    },
];
