import { useEffect, useState } from "react";
import { themeChanged } from "./theme";

/** useLook changes whenever the theme does, by choice or by the system; for canvases, which read colours once. */
export function useLook(): number {
  const [look, setLook] = useState(0);
  useEffect(() => {
    const next = () => setLook((before) => before + 1);
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    system.addEventListener("change", next);
    window.addEventListener(themeChanged, next);
    return () => {
      system.removeEventListener("change", next);
      window.removeEventListener(themeChanged, next);
    };
  }, []);
  return look;
}
