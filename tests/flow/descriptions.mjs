// descriptions: what people ask for; each must plan, decompose and build.
export const descriptions = [
  'A project management tool with team collaboration features, task boards, and time tracking.',
  'A booking site for a small yoga studio: classes, instructors, weekly schedule, members buy class packs and reserve a spot.',
  'An inventory system for a bicycle repair shop with parts, suppliers, purchase orders and low-stock alerts.',
  'A recipe box for families: recipes with ingredients and steps, meal plan for the week, shopping list, ratings.',
  'A help desk where customers open tickets, agents reply and assign priorities, and managers see response times.',
  'An expense tracker for freelancers with clients, invoices, receipts and a monthly report.',
  'A neighbourhood library of things: people list tools they own, others borrow them, with due dates and reviews.',
  'A field log for beekeepers: apiaries, hives, inspections, treatments and honey harvests.',
]
