import { config } from "zod";

/** The page's content policy forbids making code from text; zod would try it once and leave an error in the console. */
config({ jitless: true });
